<?php
/**
 * What the administrator set: the service's address, the site key, the webhook's secret, where rejected ones go,
 * and whether readers get letters.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

const SETTINGS = 'comment_moderation_settings';
const DEFAULTS = array(
	'url'      => '',
	'key'      => '',
	'secret'   => '',
	'rejected' => 'spam',
	'letters'  => '',
);

add_action( 'init', __NAMESPACE__ . '\\register_settings' );
add_action( 'update_option_' . SETTINGS, __NAMESPACE__ . '\\settings_changed', 10, 2 );

/**
 * All settings, with defaults for what is missing.
 */
function settings(): array {
	$stored = get_option( SETTINGS, array() );
	return array_merge( DEFAULTS, is_array( $stored ) ? $stored : array() );
}

/**
 * Whether the service can be called at all; without it this plugin leaves all to WordPress.
 */
function is_configured(): bool {
	$settings = settings();
	return '' !== $settings['url'] && '' !== $settings['key'];
}

/**
 * Registers the option; it holds a key, so it is made without autoload.
 */
function register_settings(): void {
	register_setting(
		'comment_moderation',
		SETTINGS,
		array(
			'type'              => 'object',
			'sanitize_callback' => __NAMESPACE__ . '\\clean_settings',
			'show_in_rest'      => false,
		)
	);
	if ( false === get_option( SETTINGS ) ) {
		add_option( SETTINGS, DEFAULTS, '', false );
	}
}

/**
 * Checks what was entered. A key or secret left empty stays as it was; one that cannot be right is refused.
 *
 * @param mixed $input What the form sent.
 */
function clean_settings( $input ): array {
	$before = settings();
	$input  = array_map( 'trim', array_map( 'strval', array_intersect_key( (array) $input, DEFAULTS ) ) );
	$clean  = $before;
	if ( isset( $input['url'] ) ) {
		$clean['url'] = untrailingslashit( esc_url_raw( $input['url'], array( 'http', 'https' ) ) );
		if ( '' === $clean['url'] && '' !== $input['url'] ) {
			refuse_setting( 'url', __( 'The address of the service must begin with https:// or http://.', 'comment-moderation' ) );
			$clean['url'] = $before['url'];
		}
	}
	if ( ! empty( $input['key'] ) ) {
		if ( preg_match( '/^[a-z0-9]{1,63}$/', $input['key'] ) ) {
			$clean['key'] = $input['key'];
		} else {
			refuse_setting( 'key', __( 'A site key has only lower-case letters and digits, 63 at most.', 'comment-moderation' ) );
		}
	}
	if ( ! empty( $input['secret'] ) ) {
		if ( '' !== secret_bytes( $input['secret'] ) ) {
			$clean['secret'] = $input['secret'];
		} else {
			refuse_setting( 'secret', __( 'A webhook secret begins with whsec_ and goes on in base64.', 'comment-moderation' ) );
		}
	}
	if ( isset( $input['rejected'] ) ) {
		$clean['rejected'] = 'trash' === $input['rejected'] ? 'trash' : 'spam';
	}
	if ( isset( $input['letters'] ) ) {
		$clean['letters'] = '1' === $input['letters'] ? '1' : '';
	}
	return $clean;
}

/**
 * Says on the settings page why a value was not taken. Outside the admin pages there is nobody to tell.
 *
 * @param string $field   Which one.
 * @param string $message Why.
 */
function refuse_setting( string $field, string $message ): void {
	if ( function_exists( 'add_settings_error' ) ) {
		add_settings_error( SETTINGS, 'comment_moderation_' . $field, $message );
	}
}

/**
 * The bytes of a webhook secret, or an empty string when it is none.
 *
 * @param string $secret In the form whsec_BASE64.
 */
function secret_bytes( string $secret ): string {
	if ( 0 !== strpos( $secret, 'whsec_' ) ) {
		return '';
	}
	// phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_decode -- the form of Standard Webhooks.
	return (string) base64_decode( substr( $secret, 6 ), true );
}

/**
 * Another service has another feed and other troubles.
 *
 * @param mixed $before The settings before.
 * @param mixed $after  The settings now.
 */
function settings_changed( $before, $after ): void {
	foreach ( array( 'url', 'key' ) as $name ) {
		if ( ( $before[ $name ] ?? '' ) !== ( $after[ $name ] ?? '' ) ) {
			delete_option( CURSOR );
			delete_option( HEALTH );
		}
	}
}
